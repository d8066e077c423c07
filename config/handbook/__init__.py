"""The handbook of docs/handbook/ as pages of the product, and which section of it belongs to which page."""
