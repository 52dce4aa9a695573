"""The interactive bot: what people type and tap, stored before it is acknowledged, handled once."""
