//! What the server counts, for Prometheus (text format of <https://openmetrics.io>). Handles are clones of one set.

use std::borrow::Cow;

use limn_pipeline::DeviceMemory;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// What became of a frame in a session.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Fate {
    /// One of [`FATES`].
    pub fate: &'static str,
}

/// Where a newer frame overtook one.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Overtaken {
    /// `prepare`, `paint`.
    pub before: &'static str,
}

/// A stage of the road.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Stage {
    /// As the statistics call it.
    pub stage: Cow<'static, str>,
}

/// Why a session ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Reason {
    /// As its owner was told.
    pub reason: &'static str,
}

/// How a request was answered.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Status {
    /// The status code.
    pub status: u16,
}

/// What viewers were sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Parts.
    pub parts: Counter,
    /// Their bytes.
    pub bytes: Counter,
    /// Pictures that viewers were too slow for.
    pub skipped: Counter,
    /// From a frame's arrival to its part's way out.
    pub latency: Histogram,
}

impl Default for Sent {
    fn default() -> Self {
        Self {
            parts: Counter::default(),
            bytes: Counter::default(),
            skipped: Counter::default(),
            latency: times(),
        }
    }
}

/// What is counted all the time.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Frames of sessions.
    pub frames: Family<Fate, Counter>,
    /// Frames of sessions that nobody will see.
    pub overtaken: Family<Overtaken, Counter>,
    /// Times of the stages.
    pub stages: Family<Stage, Histogram, fn() -> Histogram>,
    /// From a frame's arrival to its JPEG.
    pub latency: Histogram,
    /// To viewers.
    pub sent: Sent,
    /// Sessions that began.
    pub begun: Counter,
    /// Sessions that ended.
    pub ended: Family<Reason, Counter>,
    /// Answers by HTTP.
    pub answers: Family<Status, Counter>,
    /// How often the device was taken up again.
    pub restarts: Counter,
}

/// A frame is `received`, or taken `again` because a parameter changed. Then it is painted, unchanged, refused or overtaken, or
/// withdrawn with its session; of those painted, some are flagged, and some encoded.
const FATES: [&str; 8] = [
    "received",
    "again",
    "painted",
    "flagged",
    "unchanged",
    "refused",
    "withdrawn",
    "encoded",
];

impl Default for Metrics {
    fn default() -> Self {
        let (frames, overtaken) = (Family::default(), Family::default());
        // A series that begins with its first event hides that event from whoever asks for a rate.
        for fate in FATES {
            frames.get_or_create_owned(&Fate { fate });
        }
        for before in ["prepare", "paint"] {
            overtaken.get_or_create_owned(&Overtaken { before });
        }
        Self {
            frames,
            overtaken,
            stages: Family::new_with_constructor(times),
            latency: times(),
            sent: Sent::default(),
            begun: Counter::default(),
            ended: Family::default(),
            answers: Family::default(),
            restarts: Counter::default(),
        }
    }
}

/// What is looked at when somebody asks.
#[derive(Clone, Debug, Default)]
pub struct Now {
    /// Sessions that run.
    pub sessions: usize,
    /// Viewers of all streams.
    pub viewers: usize,
    /// Players who wait for a place.
    pub players: usize,
    /// Frames that wait for the device.
    pub waiting: usize,
    /// How full the device is.
    pub memory: Option<DeviceMemory>,
    /// Whether a new session would paint at once.
    pub ready: bool,
    /// The row that new sessions begin with.
    pub row: &'static str,
    /// What it paints on.
    pub device: String,
}

impl Metrics {
    /// All of it as text.
    pub fn text(&self, now: &Now) -> String {
        let mut registry = Registry::with_prefix("limn");
        let gauge = |value: usize| {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            gauge
        };
        let build = Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("row", now.row.to_owned()),
            ("device", now.device.clone()),
        ]);
        registry.register("build", "What runs", build);
        let all: [(&str, &str, Gauge); 5] = [
            ("sessions", "Sessions that run", gauge(now.sessions)),
            ("viewers", "Viewers of all streams", gauge(now.viewers)),
            (
                "players_waiting",
                "Players who wait for a place",
                gauge(now.players),
            ),
            (
                "device_queue",
                "Frames that wait for the device",
                gauge(now.waiting),
            ),
            (
                "ready",
                "Whether a new session paints at once",
                gauge(usize::from(now.ready)),
            ),
        ];
        for (name, help, gauge) in all {
            registry.register(name, help, gauge);
        }
        if let Some(bytes) = resident_bytes() {
            registry.register_with_unit(
                "resident_memory",
                "Of the process",
                Unit::Bytes,
                gauge(bytes),
            );
        }
        if let Some(DeviceMemory { used, total }) = now.memory {
            let gauge = |bytes| gauge(usize::try_from(bytes).unwrap_or(usize::MAX));
            registry.register_with_unit(
                "device_memory_used",
                "Of the device, or of the process that paints on the CPU",
                Unit::Bytes,
                gauge(used),
            );
            registry.register_with_unit(
                "device_memory_total",
                "Of the device, or of the machine",
                Unit::Bytes,
                gauge(total),
            );
        }
        registry.register(
            "frames",
            "What became of frames in sessions",
            self.frames.clone(),
        );
        registry.register(
            "frames_overtaken",
            "Frames that a newer one overtook",
            self.overtaken.clone(),
        );
        registry.register_with_unit(
            "stage",
            "Times of the stages",
            Unit::Seconds,
            self.stages.clone(),
        );
        registry.register_with_unit(
            "latency",
            "From a frame's arrival to its JPEG",
            Unit::Seconds,
            self.latency.clone(),
        );
        let Sent {
            parts,
            bytes,
            skipped,
            latency,
        } = self.sent.clone();
        registry.register("parts_sent", "Parts to viewers", parts);
        registry.register(
            "parts_skipped",
            "Pictures that viewers were too slow for",
            skipped,
        );
        registry.register_with_unit("sent", "Of parts to viewers", Unit::Bytes, bytes);
        registry.register_with_unit(
            "viewer_latency",
            "From a frame's arrival to its part's way out",
            Unit::Seconds,
            latency,
        );
        registry.register("sessions_begun", "Sessions that began", self.begun.clone());
        registry.register("sessions_ended", "Sessions that ended", self.ended.clone());
        registry.register("http_answers", "Answers by HTTP", self.answers.clone());
        registry.register(
            "device_restarts",
            "How often the device was taken up again",
            self.restarts.clone(),
        );
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }

    /// One more frame of that fate.
    pub fn frame(&self, fate: &'static str) {
        self.frames.get_or_create(&Fate { fate }).inc();
    }
}

/// A millisecond to sixteen seconds.
fn times() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

/// What of the process lies in memory; `None` where the system does not say.
pub fn resident_bytes() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size())
}
