<?php
// A harmless drop-in: what visitors see when the database cannot be reached.
http_response_code( 503 );
header( 'Retry-After: 600' );
echo '<!DOCTYPE html><title>Back soon</title><p>tb drop-in: the database cannot be reached.</p>';
