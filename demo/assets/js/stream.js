// What the website pushes. Closed while nobody looks, since a browser allows a site few connections, all tabs together.

const AGAIN_MS = 2_000;

/**
 * Listens to /api/stream for as long as the page is open.
 *
 * `on.state(state)`, `on.event(event)`, `on.connection('live' | 'lost' | 'paused')`. What came before comes
 * again with a new connection: who listens must know an event that it has.
 */
export function listen(on) {
  let source = null;
  let timer = null;

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource('/api/stream');
    source.addEventListener('open', () => on.connection('live'));
    source.addEventListener('state', (message) => on.state(JSON.parse(message.data)));
    source.addEventListener('event', (message) => on.event(JSON.parse(message.data)));
    source.addEventListener('error', () => {
      on.connection('lost');
      // The browser connects again by itself, unless it was answered something that is no stream.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
    on.connection('paused');
  }

  const follow = () => (document.visibilityState === 'visible' ? source ?? open() : close());
  document.addEventListener('visibilitychange', follow);
  // A page that goes into the browser's back and forward cache must not hold a connection.
  addEventListener('pagehide', close);
  addEventListener('pageshow', follow);
  follow();
}
