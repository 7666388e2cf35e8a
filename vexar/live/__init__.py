"""Live push to open browsers: streams of visitors and operators, who is there, who is typing."""
