"""Ways to reach people: one file each, all held to :class:`bot.ports.Channel` by one contract suite."""
