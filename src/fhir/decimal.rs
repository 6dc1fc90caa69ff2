//! Decimals that keep every digit they were written with (R4 datatypes.html §decimal).
