<?php
/**
 * Prints what keeps Drupal from updating its database, as one JSON document that begins a line. Runs inside
 * Drupal (drush php:script) and asks what update.php asks; unlike that it mends nothing. `drush updatedb -y` asks too, and goes on.
 */

require_once DRUPAL_ROOT . '/core/includes/install.inc';
require_once DRUPAL_ROOT . '/core/includes/update.inc';
drupal_load_updates();

$intendant_handler = \Drupal::moduleHandler();
$intendant_all     = array_merge( $intendant_handler->invokeAll( 'requirements', array( 'update' ) ), $intendant_handler->invokeAll( 'update_requirements' ) );
$intendant_handler->alter( 'requirements', $intendant_all );
$intendant_errors = array();
foreach ( $intendant_all as $intendant_id => $intendant_one ) {
	$intendant_severity = $intendant_one['severity'] ?? null;
	$intendant_severity = $intendant_severity instanceof \BackedEnum ? $intendant_severity->value : $intendant_severity;
	if ( 2 === $intendant_severity ) {
		$intendant_words = array();
		foreach ( array( 'title', 'value', 'description' ) as $intendant_part ) {
			$intendant_text = $intendant_one[ $intendant_part ] ?? '';
			if ( is_array( $intendant_text ) ) {
				$intendant_text = $intendant_text['#markup'] ?? $intendant_text['#plain_text'] ?? '';
			}
			$intendant_words[] = trim( strip_tags( is_scalar( $intendant_text ) || $intendant_text instanceof \Stringable ? (string) $intendant_text : '' ) );
		}
		$intendant_errors[] = array( 'id' => (string) $intendant_id, 'says' => substr( implode( ': ', array_filter( $intendant_words, 'strlen' ) ), 0, 400 ) );
	}
}
echo "\n" . json_encode( array( 'errors' => $intendant_errors ), JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES ) . "\n";
