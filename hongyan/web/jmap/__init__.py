"""JMAP over HTTP (RFC 8620, 8621): the methods, on the same mailboxes and the same change log as IMAP."""
