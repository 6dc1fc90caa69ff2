//! Is it well formed: a resource against R4, as issues with FHIRPath expressions; never a status.
