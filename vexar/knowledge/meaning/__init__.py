"""What texts mean: embeddings of chunks, made in the background, and how near a question comes to them."""
