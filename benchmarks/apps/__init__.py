"""Programs that run on the other side: the peers' sites, the sink."""
