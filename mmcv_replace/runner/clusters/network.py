"""Finds the network interface between nodes, on Linux."""
import fcntl
import socket
import struct

_SIOCGIFADDR = 0x8915  # the address of an interface


def interface_to(addr: str) -> str | None:
    """Name of the network interface by which this machine reaches another one; None if unknown.

    Gloo by default uses the address of the host name, which is often 127.0.1.1.
    """
    try:
        where = socket.getaddrinfo(addr, 9, socket.AF_INET, socket.SOCK_DGRAM)[0][4]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(where)  # chooses a route, and sends nothing
            own = probe.getsockname()[0]
            for _, name in socket.if_nameindex():
                try:
                    answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack('256s', name.encode()))
                except OSError:  # an interface without an address
                    continue
                if socket.inet_ntoa(answer[20:24]) == own and not own.startswith('127.'):
                    return name
    except OSError:  # the address cannot be resolved yet
        pass
    return None
