//! The pipelines that ship with Limn.
