"""What a new installation starts from: feeds, training examples, the demo's story."""
