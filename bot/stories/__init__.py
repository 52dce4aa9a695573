"""Stories: items that report one event, what is known of it by whom, and the life of a ceasefire. Pure, no clock."""
