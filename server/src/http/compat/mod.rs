//! Other products' wire protocols.

pub mod gendj;
pub mod lcm_said;
pub mod lcm_server;
pub mod lcm_settings;
mod lcm_talk;
