"""Sites: their keys and origins, what their owner decides about them, their working hours and ready replies."""
