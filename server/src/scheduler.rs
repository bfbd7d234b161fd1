//! Whose turn it is on the device. No clock and no channel inside: what happened is an argument.
//!
//! Turns are shared by device *time* and not by count (start-time fair queueing after Goyal, Vin and Cheng, 1996, with
//! equal weights): every session has a virtual time that grows by the device time it used, and the smallest goes next.

use std::collections::HashMap;
use std::time::Duration;

use limn_pipeline::SessionId;

/// Picks among the sessions that wait.
#[derive(Debug, Default)]
pub struct FrameScheduler {
    used: HashMap<SessionId, Duration>,
    /// The virtual time of the last turn: a newcomer starts here, so that a rest earns no credit.
    floor: Duration,
}

impl FrameScheduler {
    /// The session that goes next among `waiting`, which is in order of arrival; ties go to whoever came first.
    pub fn pick(&mut self, waiting: impl IntoIterator<Item = SessionId>) -> Option<SessionId> {
        let floor = self.floor;
        let next = waiting
            .into_iter()
            .map(|session| {
                (
                    self.used
                        .get(&session)
                        .map_or(floor, |used| *used.max(&floor)),
                    session,
                )
            })
            .min_by_key(|(used, _)| *used);
        let (used, session) = next?;
        self.floor = used;
        Some(session)
    }

    /// Writes `spent` device time on the account of `session`.
    pub fn charge(&mut self, session: SessionId, spent: Duration) {
        let used = self.used.entry(session).or_insert(self.floor);
        *used = (*used).max(self.floor) + spent;
    }

    /// Forgets a session that ended.
    pub fn leave(&mut self, session: SessionId) {
        self.used.remove(&session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREEDY: SessionId = SessionId(1);
    const SHY: SessionId = SessionId(2);

    #[test]
    fn device_time_is_shared_and_not_turns() {
        let mut scheduler = FrameScheduler::default();
        let mut spent = HashMap::from([(GREEDY, 0), (SHY, 0)]);
        for _ in 0..1000 {
            let session = scheduler.pick([GREEDY, SHY]).unwrap();
            let millis = if session == GREEDY { 30 } else { 10 };
            scheduler.charge(session, Duration::from_millis(millis));
            *spent.get_mut(&session).unwrap() += millis;
        }
        let (greedy, shy) = (spent[&GREEDY] as f64, spent[&SHY] as f64);
        assert!(
            (greedy / shy - 1.0).abs() < 0.01,
            "greedy had {greedy} ms, shy had {shy} ms"
        );
    }

    #[test]
    fn who_rests_earns_no_credit_and_who_comes_back_waits_at_most_one_turn() {
        let mut scheduler = FrameScheduler::default();
        scheduler.charge(SHY, Duration::from_millis(10));
        for _ in 0..100 {
            assert_eq!(scheduler.pick([GREEDY]), Some(GREEDY));
            scheduler.charge(GREEDY, Duration::from_millis(10));
        }
        let turns: Vec<_> = (0..10)
            .map(|_| {
                let session = scheduler.pick([GREEDY, SHY]).unwrap();
                scheduler.charge(session, Duration::from_millis(10));
                session
            })
            .collect();
        assert!(turns[..2].contains(&SHY), "{turns:?}");
        assert_eq!(
            turns.iter().filter(|session| **session == SHY).count(),
            5,
            "{turns:?}"
        );
    }

    #[test]
    fn the_gone_are_forgotten() {
        let mut scheduler = FrameScheduler::default();
        scheduler.charge(SHY, Duration::from_millis(1));
        scheduler.leave(SHY);
        assert!(scheduler.used.is_empty());
        assert_eq!(scheduler.pick([]), None);
    }
}
