"""The people of the organisation: who they are, how they sign in, what they may do, who is there."""
