"""The wire and only the wire: bytes to commands on the way in, facts to bytes on the way out."""
