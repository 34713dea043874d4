"""Who may do what: tokens with rights, sessions of the page, users whom a proxy names; and the audit log."""
