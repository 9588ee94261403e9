"""Packets: WebRTC connections by aiortc, forwarding by our own ingress and egress objects, without decoding."""
