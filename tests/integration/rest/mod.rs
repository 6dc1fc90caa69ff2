//! The RESTful API of R4, over HTTP.

mod binary;
mod content;
mod door;
mod include;
mod instance;
mod journal;
mod scope;
mod search;
mod shape;
mod system;
mod xml;
