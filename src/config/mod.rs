//! Settings: one struct per concern, defaults, refusals of unknown keys.
