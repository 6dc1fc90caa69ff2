//! The RESTful API of R4, over HTTP.

mod binary;
mod door;
mod instance;
mod search;
mod system;
