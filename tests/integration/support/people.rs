//! Those who come to a server. While security is open they may all do the same.

use std::ops::Deref;

use super::client::Client;
use super::server::Server;

macro_rules! people {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub(crate) struct $name(Client);

            impl $name {
                pub(crate) fn of(server: &Server) -> Self {
                    Self(Client::new(&server.base_url))
                }
            }

            impl Deref for $name {
                type Target = Client;

                fn deref(&self) -> &Client {
                    &self.0
                }
            }
        )+
    };
}

people! {
    /// The person whose dossier it is.
    Holder,
    /// Somebody who cares for the holder.
    Professional,
    /// Software of a laboratory, which deposits.
    Laboratory,
    /// Somebody without any tie.
    Stranger,
}
