//! One file, one behaviour: what a user of the server can rely on, each against a server in this process.
#![allow(clippy::unwrap_used, reason = "a test")]

mod batch_of_sessions;
mod config_is_read;
#[cfg(target_os = "linux")]
mod device_is_taken_up_again;
mod errors_are_json;
mod events_for_owner_and_viewer;
mod flagged_pictures_are_hidden;
mod frame_by_post;
mod frames_over_a_socket;
mod greedy_session_cannot_starve;
mod https_holds;
mod hundred_kills_leak_nothing;
mod jpeg_leaves_as_it_came;
mod keys_end;
mod limits_hold;
mod load_failure_is_told;
mod many_viewers_encode_once;
mod metrics_count;
mod modules_point_one_way;
mod no_viewer_no_encode;
mod one_picture_in_one_out;
mod osc_steers;
mod panic_is_contained;
mod params_change_next_frame;
mod pipeline_switch_while_live;
mod placards_say_what_is_the_matter;
mod program_is_one_address;
mod protocol_of_gendj;
mod protocol_of_the_lcm_server;
mod rights_are_checked;
mod session_is_freed;
mod sessions_over_http;
mod settings_and_queue_routes;
mod slow_viewer_skips;
mod snapshot_without_viewer;
mod sockets_have_limits;
mod sources_are_read_by_the_server;
mod two_users_never_meet;
mod unchanged_frame_is_not_painted_again;
mod viewer_leaves_is_noticed;
mod viewers_choose;
mod what_people_read;
mod wires_of_the_stream;
