"""The parts of the composition root: engines, services, listeners. Only `app` uses them."""
