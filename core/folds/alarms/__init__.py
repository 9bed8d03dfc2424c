"""What is wrong in a session, or soon will be: in a few words, why, and what helps."""
