//! The rows that the device's process was asked for: where each is on its way, and how it went when it was read before.

use std::collections::BTreeMap;
use std::time::Duration;

use limn_pipeline::PipelineError;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Readiness;
use super::patience::FIRST;

/// A row under which the process ended so often, each time with nothing else on its way, is to blame.
const DEATHS: u32 = 2;

/// What could be read before is read again after such pauses, for as long as it takes.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// A disk that others read as well may take so many times as long.
const SLOWER: u32 = 10;

/// See the module.
#[derive(Default)]
pub struct Rows(BTreeMap<&'static str, Reading>);

struct Reading {
    state: watch::Sender<Readiness>,
    /// When the process was told to read it.
    ordered: Option<Instant>,
    /// Before then it is not told.
    rests_until: Option<Instant>,
    /// How long it took, if it has ever been there.
    took: Option<Duration>,
    /// Processes that ended while they read it.
    deaths: u32,
    /// How often it failed since it was there.
    failures: usize,
}

impl Reading {
    fn is_loading(&self) -> bool {
        matches!(*self.state.borrow(), Readiness::Loading)
    }

    fn begin(&mut self) {
        self.state.send_replace(Readiness::Loading);
        (self.ordered, self.rests_until) = (None, None);
    }
}

impl Rows {
    /// Somebody wants the row; one that has failed is tried again.
    pub fn ask(&mut self, row: &'static str) -> watch::Receiver<Readiness> {
        let reading = self.0.entry(row).or_insert_with(|| Reading {
            state: watch::Sender::new(Readiness::Loading),
            ordered: None,
            rests_until: None,
            took: None,
            deaths: 0,
            failures: 0,
        });
        if matches!(*reading.state.borrow(), Readiness::Failed(_)) {
            reading.begin();
        }
        reading.state.subscribe()
    }

    /// Where a row is, if anybody has asked for it.
    pub fn state(&self, row: &str) -> Option<Readiness> {
        Some(self.0.get(row)?.state.borrow().clone())
    }

    /// What the process is to be told to read now. A row under which one has ended waits until it can be read alone: should
    /// it end another, nobody else is blamed.
    pub fn due(&mut self, now: Instant) -> Vec<&'static str> {
        let mut loading: Vec<_> = self
            .0
            .iter_mut()
            .filter(|(_, reading)| reading.is_loading())
            .collect();
        let suspect = |reading: &Reading| reading.deaths > 0;
        let rests = |reading: &Reading| reading.rests_until.is_some_and(|end| end > now);
        let others = loading
            .iter()
            .any(|(_, reading)| !suspect(reading) && !rests(reading));
        let under_way = |(_, reading): &(_, &mut Reading)| reading.ordered.is_some();
        let alone = !others && !loading.iter().any(under_way);
        let mut due = Vec::new();
        for (row, reading) in &mut loading {
            let waits = suspect(reading) && !(alone && due.is_empty());
            if reading.ordered.is_some() || rests(reading) || waits {
                continue;
            }
            reading.ordered = Some(now);
            due.push(**row);
        }
        due
    }

    /// News of a row.
    pub fn hear(&mut self, row: &str, state: Readiness, now: Instant) {
        let Some(reading) = self.0.get_mut(row) else {
            return;
        };
        match &state {
            Readiness::Loading => {}
            Readiness::Ready(_) => {
                reading.took = reading.ordered.map(|ordered| now - ordered);
                (reading.deaths, reading.failures) = (0, 0);
                reading.state.send_replace(state);
            }
            // It was there: whatever keeps it away may pass, and people wait for it.
            Readiness::Failed(_) if reading.took.is_some() => {
                let pause = PAUSES[reading.failures.min(PAUSES.len() - 1)];
                reading.failures += 1;
                (reading.ordered, reading.rests_until) = (None, Some(now + pause));
            }
            Readiness::Failed(_) => {
                reading.state.send_replace(state);
            }
        }
    }

    /// Whether some are to come back that had been there.
    pub fn is_recovering(&self) -> bool {
        let mut readings = self.0.values();
        readings.any(|reading| reading.took.is_some() && reading.is_loading())
    }

    /// The process is gone: what was there is to be read again, and so is what was on its way, unless that has ended too many.
    pub fn lose(&mut self) {
        for (row, reading) in &mut self.0 {
            if matches!(*reading.state.borrow(), Readiness::Ready(_)) {
                reading.begin();
            } else if reading.is_loading() && reading.ordered.take().is_some() {
                reading.deaths += 1;
                if reading.deaths >= DEATHS {
                    // Once more, and at once, if somebody insists.
                    reading.deaths = DEATHS - 1;
                    let reason = "the device's process ended each time while it was read";
                    let error = PipelineError::Load {
                        what: (*row).to_owned(),
                        reason: reason.to_owned(),
                        hint: Some(
                            "the log says how; too little memory is the usual cause".to_owned(),
                        ),
                    };
                    tracing::error!("{error}");
                    reading.state.send_replace(Readiness::Failed(error));
                }
            }
        }
    }

    /// Why the process should be given up: it reads what had been there, and `silent` since then for longer than that may take.
    /// What is read for the first time may be downloaded first, which nobody can foresee.
    pub fn overdue(
        &self,
        limit: Option<Duration>,
        silent: impl Fn(Instant) -> Duration,
    ) -> Option<String> {
        self.0.iter().find_map(|(row, reading)| {
            let took = reading.took.filter(|_| reading.is_loading())?;
            let silent = silent(reading.ordered?);
            let limit = limit.unwrap_or(FIRST).max(took * SLOWER);
            let seconds = silent.as_secs_f64();
            (silent > limit).then(|| format!("it has not read `{row}` in {seconds:.1} s"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ready() -> Readiness {
        Readiness::Ready(String::new())
    }

    fn failed() -> Readiness {
        Readiness::Failed(PipelineError::Cancelled)
    }

    #[test]
    fn what_ends_the_process_twice_has_failed_and_the_others_come_back() {
        let (mut rows, now) = (Rows::default(), Instant::now());
        let (good, bad) = (rows.ask("good"), rows.ask("bad"));
        assert_eq!(rows.due(now), ["bad", "good"]);
        assert!(rows.due(now).is_empty());
        rows.hear("good", ready(), now);
        rows.lose();
        // The one that was there first, and then the other alone.
        assert!(rows.is_recovering());
        assert_eq!(rows.due(now), ["good"]);
        rows.hear("good", ready(), now);
        assert!(!rows.is_recovering());
        assert_eq!(rows.due(now), ["bad"]);
        rows.lose();
        assert!(matches!(
            *bad.borrow(),
            Readiness::Failed(PipelineError::Load { .. })
        ));
        assert!(matches!(*good.borrow(), Readiness::Loading));
        assert_eq!(rows.due(now), ["good"]);
        // Whoever insists has it tried once more, and only once.
        rows.hear("good", ready(), now);
        rows.ask("bad");
        assert_eq!(rows.due(now), ["bad"]);
        rows.lose();
        assert!(matches!(*bad.borrow(), Readiness::Failed(_)));
        rows.hear("good", ready(), now);
        rows.ask("bad");
        assert_eq!(rows.due(now), ["bad"]);
        rows.hear("bad", ready(), now);
        rows.lose();
        assert_eq!(rows.due(now), ["bad", "good"]);
    }

    #[test]
    fn two_that_were_on_their_way_are_tried_one_after_the_other() {
        let (mut rows, now) = (Rows::default(), Instant::now());
        let (one, two) = (rows.ask("one"), rows.ask("two"));
        assert_eq!(rows.due(now).len(), 2);
        rows.lose();
        assert_eq!(rows.due(now), ["one"]);
        assert!(rows.due(now).is_empty());
        rows.hear("one", ready(), now);
        assert_eq!(rows.due(now), ["two"]);
        rows.lose();
        assert!(matches!(*one.borrow(), Readiness::Loading));
        assert!(matches!(*two.borrow(), Readiness::Failed(_)));
    }

    #[test]
    fn what_was_there_is_tried_until_it_is_there_again() {
        let (mut rows, now) = (Rows::default(), Instant::now());
        let state = rows.ask("row");
        rows.due(now);
        rows.hear("row", ready(), now);
        rows.lose();
        rows.due(now);
        rows.hear("row", failed(), now);
        assert!(rows.is_recovering());
        assert!(matches!(*state.borrow(), Readiness::Loading));
        assert!(rows.due(now).is_empty());
        assert_eq!(rows.due(now + SECOND), ["row"]);
        rows.hear("row", failed(), now + SECOND);
        assert!(rows.is_recovering());
        assert!(rows.due(now + SECOND * 3 / 2).is_empty());
        assert_eq!(rows.due(now + SECOND * 2), ["row"]);
        rows.hear("row", ready(), now);
        assert!(!rows.is_recovering());
        // The first time it is told.
        let other = rows.ask("other");
        rows.due(now);
        rows.hear("other", failed(), now);
        assert!(!rows.is_recovering());
        assert!(matches!(*other.borrow(), Readiness::Failed(_)));
    }

    #[test]
    fn only_what_was_there_can_be_overdue() {
        let (mut rows, now) = (Rows::default(), Instant::now());
        rows.ask("row");
        rows.due(now);
        let late = |rows: &Rows, seconds| rows.overdue(Some(SECOND), |_| SECOND * seconds);
        assert_eq!(late(&rows, 1000), None);
        rows.hear("row", ready(), now + SECOND);
        assert_eq!(late(&rows, 1000), None);
        rows.lose();
        assert_eq!(late(&rows, 1000), None);
        rows.due(now);
        assert_eq!(late(&rows, 10), None);
        assert_eq!(
            late(&rows, 11).as_deref(),
            Some("it has not read `row` in 11.0 s")
        );
    }
}
