//! The rows: every way to run a pipeline that we know by name. A variant is a row here, never a file.

use limn_pipeline::Row;

/// See [`crate::canny`].
pub static CANNY: &[Row] = &[Row::plain("canny", "Edges")];

/// See [`crate::passthrough`].
pub static PASSTHROUGH: &[Row] = &[Row::plain("passthrough", "Passthrough")];
