<?php
// What an old server prints on standard output before any program of ours.
if ( PHP_SAPI === 'cli' ) {
	echo "\nDeprecated: Optional parameter \$a declared before required parameter \$b is implicitly treated as a required parameter in /usr/share/php/old.php on line 12\n";
	echo "PHP Warning:  Module \"mysqli\" is already loaded in Unknown on line 0 [{\"not\": \"yours\"}]\n";
}
