"""Who sent this? SPF, DKIM, DMARC, ARC, DANE and MTA-STS: pure checks that ask a `Resolver`."""
