"""What runs inside the sandbox, beside the student's code: it knows no solution and no judge."""
