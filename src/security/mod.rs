//! Who asks: identity and granted scope. No clinical rule here.
