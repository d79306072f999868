"""From a fresh machine to a mail service: is it fit, and what has to be written?"""
