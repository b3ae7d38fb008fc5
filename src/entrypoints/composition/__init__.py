"""The composition root: builds the graph of adapters from the settings, and is alone in naming them."""
