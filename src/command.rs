//! What a person runs beside the two roles.
