"""The store on SQLite: what is its own beyond the contract that every store keeps."""
