//! What tch lacks. With `limn-ndi` the only place where `unsafe` is allowed.
