"""DNS providers whose zones can be changed by their own interfaces: Cloudflare, Aliyun DNS, DNSPod.

Each is one module with `add` and `remove`. None of them was ever tried on the real service: requests follow
the vendors' published descriptions, and the tests stand in for the other side.
"""
