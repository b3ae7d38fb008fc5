"""The manifests of pipelines: made of their declarations, checked, compared. No file and no cluster is touched here."""
