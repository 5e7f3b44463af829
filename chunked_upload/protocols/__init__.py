"""One module per wire dialect: request → engine calls → reply, nothing more."""
