//! All keepers together: started at once, each waits for those that it comes after; stopped in waves, first
//! those that nobody needs any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::keeper::{Failure, Keeper, Shared};
use super::plan::Program;

/// The programs of a stage that runs. When it is dropped, all are killed.
#[derive(Debug)]
pub(super) struct Troupe {
    keepers: JoinSet<(String, Result<(), Failure>)>,
    members: BTreeMap<String, Member>,
}

#[derive(Debug)]
struct Member {
    after: Vec<String>,
    ready: watch::Receiver<bool>,
    stop: CancellationToken,
    /// Cancelled once its keeper has ended, in whatever way.
    ended: CancellationToken,
}

impl Troupe {
    /// Starts the programs, which are in order.
    pub(super) fn start(programs: Vec<Program>, shared: &Arc<Shared>) -> Self {
        let mut keepers = JoinSet::new();
        let mut members: BTreeMap<String, Member> = BTreeMap::new();
        for program in programs {
            let (was_ready, ready) = watch::channel(false);
            let stop = CancellationToken::new();
            let name = program.name.clone();
            let after: Vec<String> = program.after.iter().map(|(name, _)| name.clone()).collect();
            let before = after.iter().filter_map(|name| members.get(name));
            let keeper = Keeper {
                after: before.map(|member| member.ready.clone()).collect(),
                program,
                shared: Arc::clone(shared),
                was_ready,
                stop: stop.clone(),
            };
            let ended = CancellationToken::new();
            let ends = ended.clone().drop_guard();
            let member = Member {
                after,
                ready,
                stop,
                ended,
            };
            members.insert(name.clone(), member);
            keepers.spawn(async move {
                let _ends = ends;
                (name, keeper.keep().await)
            });
        }
        Self { keepers, members }
    }

    /// Comes back once each was ready.
    pub(super) async fn all_ready(&mut self) -> Result<(), String> {
        let mut ready: Vec<_> = self.members.values().map(|it| it.ready.clone()).collect();
        let all = async {
            for ready in &mut ready {
                if ready.wait_for(|ready| *ready).await.is_err() {
                    // Its keeper has failed, which is told below.
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            () = all => Ok(()),
            failure = failure(&mut self.keepers) => Err(failure),
        }
    }

    /// Comes back when the stage cannot go on, with the reason.
    pub(super) async fn failure(&mut self) -> String {
        failure(&mut self.keepers).await
    }

    /// Ends all, in the order in which they can be done without.
    pub(super) async fn stop(mut self) {
        while !self.members.is_empty() {
            let needed: Vec<&String> = self.members.values().flat_map(|it| &it.after).collect();
            let not_needed = |name: &String| !needed.contains(&name);
            let wave: Vec<String> = self
                .members
                .keys()
                .filter(|it| not_needed(it))
                .cloned()
                .collect();
            for name in &wave {
                self.members[name].stop.cancel();
            }
            // The one that failed, for which the stage ends, has been joined; so each is asked for itself.
            for member in wave.iter().filter_map(|name| self.members.remove(name)) {
                member.ended.cancelled().await;
            }
        }
        while let Some(ended) = self.keepers.join_next().await {
            if let Ok((_, Err(failure))) = ended {
                super::tell(&failure.to_string());
            }
        }
    }
}

async fn failure(keepers: &mut JoinSet<(String, Result<(), Failure>)>) -> String {
    loop {
        match keepers.join_next().await {
            Some(Ok((_, Err(failure)))) => return failure.to_string(),
            // Stands aside because another has failed.
            Some(Ok((_, Ok(())))) => {}
            Some(Err(panic)) => return panic.to_string(),
            None => std::future::pending().await,
        }
    }
}
