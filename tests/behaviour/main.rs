//! One file, one behaviour.
