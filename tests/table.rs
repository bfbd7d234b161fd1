//! Markdown, row by row, so that what was measured is there even if the rest fails.

#![allow(clippy::print_stdout, reason = "the tables go to standard output")]

use std::fmt::Display;

/// Prints the first row and the line below it.
pub fn head(cells: &[&str]) {
    row(cells);
    println!("|{}", "---|".repeat(cells.len()));
}

/// Prints a row.
pub fn row<T: Display>(cells: &[T]) {
    let cells: Vec<_> = cells.iter().map(T::to_string).collect();
    println!("| {} |", cells.join(" | "));
}

/// The value below which `share` of `sorted` lies; not a number if there is none.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * sorted.len() as f64) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.99), 4.0);
        assert!(median(Vec::new()).is_nan());
    }
}
