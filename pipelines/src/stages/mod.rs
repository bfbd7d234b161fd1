//! What pipelines share. A stage knows no pipeline; a pipeline strings stages together.

pub mod blur;
pub mod canny;
pub mod edges;
pub mod grey;
pub mod sobel;
