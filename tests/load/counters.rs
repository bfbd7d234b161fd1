//! `GET /metrics`, read.

use std::collections::HashMap;

use anyhow::{Context, ensure};

use crate::api::ask;
use crate::show::Show;

/// Each series by its name and labels, as in the text.
#[derive(Clone, Debug, Default)]
pub struct Counters(HashMap<String, f64>);

impl Counters {
    /// As they are now.
    pub async fn read(show: &Show) -> anyhow::Result<Self> {
        let answer = ask(show.address, "GET", "/metrics", None, b"").await?;
        ensure!(answer.status == 200, "no metrics: {}", answer.status);
        let text = String::from_utf8(answer.body).context("metrics that are no text")?;
        ensure!(text.ends_with("# EOF\n"), "metrics without an end");
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.filter_map(|line| line.rsplit_once(' '));
        Self(
            series
                .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
                .collect(),
        )
    }

    /// One series; 0 if it never happened.
    pub fn get(&self, series: &str) -> u64 {
        self.0.get(series).copied().unwrap_or(0.0) as u64
    }

    /// What became of frames in that way.
    pub fn frames(&self, fate: &str) -> u64 {
        self.get(&format!("limn_frames_total{{fate=\"{fate}\"}}"))
    }

    /// All series of a family together.
    pub fn sum(&self, family: &str) -> u64 {
        let all = self.0.iter();
        let all = all.filter(|(name, _)| name.split('{').next() == Some(family));
        all.map(|(_, value)| *value as u64).sum()
    }

    /// The statuses with which requests were answered, and how often.
    pub fn answers(&self) -> Vec<(String, u64)> {
        let status = |name: &str| {
            let rest = name.strip_prefix("limn_http_answers_total{status=\"")?;
            Some(rest.strip_suffix("\"}")?.to_owned())
        };
        let all = self.0.iter();
        all.filter_map(|(name, value)| Some((status(name)?, *value as u64)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_and_families_are_read() {
        let text = "# HELP limn_http_answers Answers\nlimn_http_answers_total{status=\"503\"} 2\n\
                    limn_http_answers_total{status=\"200\"} 40\nlimn_frames_total{fate=\"again\"} 7\nlimn_ready 1\n# EOF\n";
        let counters = Counters::parse(text);
        assert_eq!(counters.sum("limn_http_answers_total"), 42);
        assert_eq!(
            (counters.frames("again"), counters.get("limn_ready")),
            (7, 1)
        );
        assert!(counters.answers().contains(&("503".to_owned(), 2)));
    }
}
