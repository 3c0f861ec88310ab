<?php
/**
 * Joomla's own commands, also where it has none:
 *
 *   php joomla.php ROOT COMMAND [ARGUMENT…]
 */

require __DIR__ . '/common.php';

list( $exit, $output, $errors ) = intendant_joomla( rtrim( $argv[1], '/' ), array_slice( $argv, 2 ) );
fwrite( STDERR, $errors );
echo $output;
exit( $exit );
