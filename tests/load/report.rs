//! The table at the end, and what of it is held against a limit.

use std::time::Duration;

use limn_tests::table::{head, row};

use crate::faults::Played;
use crate::memory::LEVEL;
use crate::show::Show;

pub struct Report {
    pub sessions: usize,
    pub viewers: usize,
    /// Bytes of memory after the first minute, and at the end.
    pub levels: Option<(u64, u64)>,
    /// File handles before anybody came, and after all had gone.
    pub handles: (usize, usize),
    /// How long the server took to stop, if it did.
    pub drained: Option<Duration>,
    pub took: Duration,
}

impl Report {
    /// Prints it; what is over a limit is complained of.
    pub fn print(&self, show: &Show, faults: &Played) {
        let line = |what: &str, got: String| row(&[what.to_owned(), got]);
        head(&["load", "got"]);
        let begun = show.sessions.begun();
        line(
            "sessions, begun in all",
            format!("{}, {begun}", self.sessions),
        );
        line("viewers", self.viewers.to_string());
        for (what, count) in show.ledger.counts() {
            line(&what, count.to_string());
        }
        for (fault, count) in &faults.counts {
            line(&format!("fault: {fault}"), count.to_string());
        }
        for (status, count) in show.ledger.all_asked_for() {
            line(&format!("answers {status}, asked for"), count.to_string());
        }
        match self.levels {
            Some((then, now)) => {
                let (then, now) = (then as f64 / 1e6, now as f64 / 1e6);
                let words = format!("{then:.1} MB, {now:.1} MB");
                line("memory after the first minute, at the end", words.clone());
                if (now / then - 1.0).abs() > LEVEL {
                    let most = LEVEL * 100.0;
                    show.ledger.complain(format!(
                        "memory after the first minute and at the end is {words}: more than {most} % apart"
                    ));
                }
            }
            None => show.ledger.complain("nobody looked at memory".to_owned()),
        }
        let (before, after) = self.handles;
        line("file handles before, after", format!("{before}, {after}"));
        if after > before {
            let left = after - before;
            show.ledger
                .complain(format!("{left} file handles are left behind"));
        }
        let drained = self.drained.map_or("not".to_owned(), |took| {
            format!("{:.1} s", took.as_secs_f64())
        });
        line("drained in", drained);
        line("took", format!("{:.0} s", self.took.as_secs_f64()));
    }
}
