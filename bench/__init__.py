"""The benchmark: Hongyan beside Dovecot and Postfix, the same work in alternating rounds of one run (`make bench`)."""
