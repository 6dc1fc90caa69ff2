//! Dates of any precision – a year, a month, a day, a moment – and the range of time each one covers.
