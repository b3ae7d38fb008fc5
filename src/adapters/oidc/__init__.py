"""Bearer tokens of an identity provider. Imported only where one is configured: cryptography is large."""
