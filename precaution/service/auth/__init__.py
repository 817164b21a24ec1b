"""Who calls: signed tokens, their keys, and links that expire."""
