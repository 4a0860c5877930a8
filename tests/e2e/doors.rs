//! Who may reach whom, as a table, and whether the cluster holds to it.

use std::time::{Duration, Instant};

use crate::cluster::until;
use crate::passer_by::{Abroad, PasserBy};
use crate::room::Room;

/// How long a policy may take until it is enforced, before it is said that none is.
const ENFORCED_WITHIN: Duration = Duration::from_secs(60);
/// How often somebody knocks at a door that has to be shut, once policies are enforced.
const KNOCKS: usize = 3;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// From somebody to an address.
pub(crate) struct Door<'a> {
    from: &'a PasserBy,
    to: String,
    address: String,
    open: bool,
}

impl<'a> Door<'a> {
    /// Policies let this pass, to a port of a pod.
    pub(crate) fn open(from: &'a PasserBy, to: &PasserBy, port: u16) -> Self {
        Self::to_pod(from, to, port, true)
    }

    /// Policies stop this, to a port of a pod.
    pub(crate) fn shut(from: &'a PasserBy, to: &PasserBy, port: u16) -> Self {
        Self::to_pod(from, to, port, false)
    }

    /// Policies let this pass, to `HOST:PORT`.
    pub(crate) fn open_to(from: &'a PasserBy, address: &str) -> Self {
        Self::to_host(from, address, true)
    }

    /// Policies stop this, to `HOST:PORT`.
    pub(crate) fn shut_to(from: &'a PasserBy, address: &str) -> Self {
        Self::to_host(from, address, false)
    }

    fn to_pod(from: &'a PasserBy, to: &PasserBy, port: u16, open: bool) -> Self {
        Self {
            from,
            to: format!("{}:{port}", to.called()),
            address: to.at(port),
            open,
        }
    }

    fn to_host(from: &'a PasserBy, address: &str, open: bool) -> Self {
        Self {
            from,
            to: address.to_owned(),
            address: address.to_owned(),
            open,
        }
    }

    fn called(&self) -> String {
        format!("{} -> {}", self.from.called(), self.to)
    }

    async fn becomes(&self, reached: bool, when: &str) {
        let word = if reached { "passes" } else { "is stopped" };
        let what = format!("{} {word} {when}", self.called());
        until(&what, || async {
            (self.from.reaches(&self.address) == reached).then_some(())
        })
        .await;
        println!("{what}");
    }

    /// Knocks several times, between two looks at what the same pod reaches in any case: where one of those fails, the network
    /// was too slow to say anything, and it is done again. Where one knock is heard, the door is not shut.
    async fn is_shut_each_time(&self) {
        let sure = self.from.sure();
        let knocks = [self.address.as_str(); KNOCKS];
        let addresses = [&[sure][..], &knocks, &[sure]].concat();
        let what = format!(
            "{} is stopped {KNOCKS} times, while {sure} is reached",
            self.called()
        );
        until(&what, || async {
            let reached = self.from.tries(&addresses);
            let heard = &reached[1..=KNOCKS];
            assert!(
                !heard.contains(&true),
                "{} passed with the policies, in one of {KNOCKS} tries: {heard:?}",
                self.called()
            );
            (reached[0] && reached[KNOCKS + 1]).then_some(())
        })
        .await;
        println!("{what}");
    }
}

/// Waits until what has to be stopped is, then until what has to pass does, and sees that the first has lasted.
pub(crate) async fn hold(doors: &[Door<'_>]) {
    // Each pod is in a shut one: what passes thereafter does so by the policies, and not since they are not yet enforced.
    for open in [false, true] {
        for door in doors.iter().filter(|door| door.open == open) {
            door.becomes(open, "with the policies").await;
        }
    }
    for door in doors.iter().filter(|door| !door.open) {
        door.is_shut_each_time().await;
    }
}

/// Removes a room's policies, and sees that nothing else had stopped anybody.
pub(crate) async fn open_without_policies(room: &Room, doors: &[Door<'_>]) {
    room.kubectl(&["delete", "networkpolicy", "--all"]);
    for door in doors.iter().filter(|door| !door.open) {
        door.becomes(true, "without the policies").await;
    }
}

/// Has a policy of its own stop one pod from reaching another.
///
/// # Panics
/// With what to do, where the cluster does not enforce it.
pub(crate) async fn are_kept(from: &PasserBy, to: &Abroad, port: u16) {
    let address = to.pod().at(port);
    let before = Door::open(from, to.pod(), port);
    before.becomes(true, "before there is a policy").await;
    to.apply(LETS_NOBODY_IN);
    let begun = Instant::now();
    while from.reaches(&address) {
        assert!(
            begun.elapsed() < ENFORCED_WITHIN,
            "this cluster does not enforce NetworkPolicies: a pod that lets nobody in is still reached after {ENFORCED_WITHIN:?}. \
             Take a network plugin that does (kindnet of kind 0.24 and later, Calico, Cilium), or run a controller \
             beside the one you have, such as `kube-router --run-firewall`: docs/COMPATIBILITY.md"
        );
        tokio::time::sleep(PAUSE).await;
    }
    to.delete(LETS_NOBODY_IN);
    before.becomes(true, "after it is gone").await;
}

const LETS_NOBODY_IN: &str = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: lets-nobody-in}
spec: {podSelector: {}, policyTypes: [Ingress]}
";
