"""What happens in a conversation: the verbs, the rows they change, who may not write, what runs out."""
