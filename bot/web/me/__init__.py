"""What a person does on their own pages."""
